"""llama-server in Python: the server of the llama.cpp that xllamacpp carries, started by flags.

The llama-server of another package says its --help everywhere, but computes only on processors
that have what it was compiled for. This one runs wherever the book is tested.

Usage: python llama_server.py -m FILE -ngl all -c 8192 -np 1 -fa on --host 127.0.0.1 --port 8080
"""

import argparse
import threading
from pathlib import Path

import xllamacpp as engine


def asked_for() -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("-m", required=True)
    parser.add_argument("-ngl", choices=["all"])
    parser.add_argument("-dev", choices=["none"])
    parser.add_argument("-c", type=int, required=True)
    parser.add_argument("-np", type=int, required=True)
    parser.add_argument("-fa", choices=["on", "off"], default="on")
    parser.add_argument("-ctk", default="f16")
    parser.add_argument("-ctv", default="f16")
    parser.add_argument("-kvu", action="store_true")
    parser.add_argument("-lv", type=int, default=3)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--api-key-file")
    return parser.parse_args()


def serve(asked: argparse.Namespace) -> None:
    params = engine.CommonParams()
    params.model.path = asked.m
    params.n_ctx, params.n_parallel, params.kv_unified = asked.c, asked.np, asked.kvu
    params.cache_type_k = engine.ggml_type[f"GGML_TYPE_{asked.ctk.upper()}"]
    params.cache_type_v = engine.ggml_type[f"GGML_TYPE_{asked.ctv.upper()}"]
    on = "ENABLED" if asked.fa == "on" else "DISABLED"
    params.flash_attn_type = engine.llama_flash_attn_type[f"LLAMA_FLASH_ATTN_TYPE_{on}"]
    params.hostnames, params.port, params.verbosity = [asked.host], asked.port, asked.lv
    params.no_extra_bufts, params.fit_params, params.n_gpu_layers = True, False, 0
    params.cpuparams.n_threads = 2
    if asked.api_key_file:
        params.api_keys = Path(asked.api_key_file).read_text(encoding="utf-8").split()
    server = engine.Server(params)
    print(f"listening on {server.listening_address}", flush=True)
    threading.Event().wait()  # until someone ends the process


if __name__ == "__main__":
    serve(asked_for())
