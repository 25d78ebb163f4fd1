"""Allowances: what nobody can derive, as a range with the places it was read in."""

from llmsizing.breakdown import Term, allowance
from llmsizing.units import GIB, MB, MIB

CONTEXTS = ("CUDA contexts: 107 MiB on an RTX 4060 Ti and 555 MiB on an RTX PRO 6000"
            " (ggml-org/llama.cpp#23604), 256 MiB on an RTX 3090 (invoke-ai/InvokeAI#9413), 426 MiB"
            " on an RTX 6000 Ada (unslothai/unsloth-zoo#1053), 120 to 550 MB depending on the card"
            " (ggml-org/llama.cpp#20595)")


def driver_term(name: str = "runtime", *, backend: str = "cuda") -> Term:
    """What the driver takes for a program that uses the card, before it has loaded anything.

    It grows with the number of the card's processors. Before CUDA 11.7 it was over 1,000 MB.
    On the CPU there is no driver; the program itself takes a little.

    References
    ----------
    pytorch/pytorch#107667 (lazy loading of kernels since CUDA 11.7).
    """
    if backend == "cpu":
        return allowance(name, "bytes", low=16 * MIB, usual=64 * MIB, high=256 * MIB,
                         source="the program and its vocabulary: our own assumption")
    return allowance(name, "bytes", low=107 * MIB, usual=256 * MIB, high=555 * MIB, source=CONTEXTS)


def prompt_cache_term(most_mib: int) -> Term:
    """What llama-server keeps of earlier prompts in RAM: nothing at first, ``most_mib`` at most."""
    return allowance("prompt cache", "bytes", low=0, usual=0, high=most_mib * MIB,
                     source="llama.cpp@0c1e57098:tools/server/README.md (--cache-ram)")


def display_term() -> Term:
    """What a desktop on the same card takes: windows, browser, a second screen.

    Nothing if no display hangs on the card. It is the range of a few machines, so a card with
    a display is better asked: nvidia-smi shows what is taken before the engine starts.

    Returns
    -------
    Term
        In bytes, with a range.

    Examples
    --------
    >>> [float(size / GIB) for size in (display_term().low, display_term().high)]
    [0.0, 1.5]

    References
    ----------
    Windows: 32,606 MiB in all and 30,991 free on an RTX 5090, 24,575 and 23,332 on an RTX 3090
    (ollama/ollama#16031). Linux: 24,124 and 23,860 on an RTX 3090 (ollama/ollama#17482), both
    with the driver's own part. A browser or shell takes 0.2 to 0.8 GiB more
    (AvengeMedia/DankMaterialShell#644).
    """
    return allowance(
        "display", "bytes", low=0, usual=GIB // 2, high=3 * GIB // 2,
        source="free memory at the start: 1.2 and 1.6 GiB less than in all on two cards of a desktop"
               " (ollama/ollama#16031), 0.3 GiB on another (ollama/ollama#17482); a shell alone 0.2"
               " to 0.8 GiB (AvengeMedia/DankMaterialShell#644). The usual half GiB is our own"
               " assumption between them",
    )


def vllm_library_term(devices: int) -> Term:
    """What vLLM's libraries take beside PyTorch: kernels, NCCL between several devices."""
    if devices == 1:
        return allowance("libraries", "bytes", low=30 * MIB, usual=160 * MIB, high=600 * MIB,
                         source="non-torch memory in logs: 0.03 GiB (vllm-project/vllm#13882), 0.04"
                                " (#12529), 0.16 (#12126). The high end is our own assumption")
    return allowance("libraries", "bytes", low=200 * MIB, usual=330 * MIB, high=750 * MIB,
                     source="non-torch memory in logs of several devices: 0.20 GiB"
                            " (vllm-project/vllm#14447), 0.30 (#15815), 0.33 (#14452), 0.39"
                            " (#11251), 0.59 to 0.73 (nlzy/vllm-gfx906#10)")


def cuda_graphs_term() -> Term:
    """What vLLM's CUDA graphs take, by model and number of graphs."""
    return allowance("CUDA graphs", "bytes", low=90 * MIB, usual=GIB // 2, high=9 * GIB // 4,
                     source="estimates in logs: 0.09 GiB (noonghunna/club-3090#434), 0.36"
                            " (gpustack/runner#251), 0.52 (LMCache/LMCache#3430), 2.22"
                            " (vllm-project/vllm#50722)")


def workspace_term(*, quantized: bool) -> Term:
    """What PyTorch's libraries keep as work space once they have run.

    Kernels of quantized weights keep more: scales reordered, a matrix in 16 bits.
    """
    if quantized:
        return allowance("work space", "bytes", low=8 * MB, usual=100 * MIB, high=700 * MIB,
                          source="20 to 660 MiB beside weights and cache after a prompt of one token"
                                 " in GPTQ, AWQ and FP8 (QwenLM/Qwen3@2abc0f3 and @7a2f61f)")
    return allowance("work space", "bytes", low=8 * MB, usual=36 * MIB, high=200 * MIB,
                      source="33 to 47 MiB beside weights and cache in BF16 on an H20"
                             " (QwenLM/Qwen3@7a2f61f), 20 to 198 on an A100 (QwenLM/Qwen3@2abc0f3)")


def allocator_term() -> Term:
    """What PyTorch's allocator holds back: pieces that it cannot give to the next request.

    It is kept beside what is in use. ``expandable_segments`` keeps it small.
    """
    return allowance("allocator", "bytes", low=0, usual=256 * MIB, high=GIB,
                     source="our own assumption: no measurement was found that separates it")
