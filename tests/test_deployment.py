import shlex

import pytest

from llmsizing.deployment import server_command


@pytest.mark.parametrize("file", ["m.gguf", "a b/m.gguf", "it's; rm -rf $HOME.gguf"])
def test_a_file_is_one_word_for_the_shell(file):
    words = shlex.split(server_command(file=file, context_tokens=8192))
    assert words[:3] == ["llama-server", "-m", file]


def test_a_quantized_cache_needs_flash_attention():
    plain = server_command(file="m.gguf", context_tokens=8192, sequences=4)
    assert "-fa" not in plain and plain.endswith("-np 4")
    small = server_command(file="m.gguf", context_tokens=8192, kv_cache="q8_0")
    assert small.endswith("-fa on -ctk q8_0 -ctv q8_0")
