"""From a choice to a command."""

import shlex


def server_command(*, file: str, context_tokens: int, kv_cache: str = "f16",
                   sequences: int = 1, unified_kv: bool = True) -> str:
    """Write the llama.cpp command that runs a model with explicit settings.

    Parameters
    ----------
    file : str
        Path of the GGUF file.
    context_tokens : int
        Tokens of context in all.
    kv_cache : str
        Type of keys and values; left out where it is the engine's own, f16.
    sequences : int
        Conversations at once. Without it llama-server takes four.
    unified_kv : bool
        Whether they share one cache. llama-server does not let them if it is told their number,
        so the command says it.

    Returns
    -------
    str
        One line for a shell.

    Examples
    --------
    >>> server_command(file="m.gguf", context_tokens=8192)
    'llama-server -m m.gguf -ngl all -c 8192 -np 1'

    References
    ----------
    llama.cpp@0c1e57098: tools/server/README.md.
    """
    words = ["llama-server", "-m", file, "-ngl", "all", "-c", str(context_tokens),
             "-np", str(sequences)]
    words += ["-kvu"] if unified_kv and sequences > 1 else []
    if kv_cache != "f16":
        words += ["-fa", "on", "-ctk", kv_cache, "-ctv", kv_cache]
    return shlex.join(words)
