"""The platform, as a table of contents: configuration, provider, guard, foundation, speech, gate, outputs."""

from stacks import platform
from stacks.load import load

settings, secrets = load()
azure = platform.azure_provider(settings)
guard = platform.guard(settings, azure)
foundation = platform.foundation(settings, azure)
groups = platform.speech(settings, secrets, foundation)
platform.gate(guard)
platform.export(settings, foundation, groups)
