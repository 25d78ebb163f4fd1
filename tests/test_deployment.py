import shlex

import pytest

from llmsizing.deployment import server_command


@pytest.mark.parametrize("file", ["m.gguf", "a b/m.gguf", "it's; rm -rf $HOME.gguf"])
def test_a_file_is_one_word_for_the_shell(file):
    words = shlex.split(server_command(file=file, context_tokens=8192))
    assert words[:3] == ["llama-server", "-m", file]


def test_a_quantized_cache_needs_flash_attention():
    plain = server_command(file="m.gguf", context_tokens=8192)
    assert "-fa" not in plain and plain.endswith("-np 1")
    small = server_command(file="m.gguf", context_tokens=8192, kv_cache="q8_0")
    assert small.endswith("-fa on -ctk q8_0 -ctv q8_0")


def test_conversations_that_share_a_cache_are_told_to():
    """llama-server gives each slot a part of its own as soon as it is told their number."""
    def ask(**settings):
        return server_command(file="m.gguf", context_tokens=8192, **settings)

    assert ask(sequences=4).endswith("-np 4 -kvu")
    assert "-kvu" not in ask(sequences=4, unified_kv=False) + ask(sequences=1)
