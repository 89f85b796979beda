"""Conversations with agents: the service, the LLM proxy, text to speech, the language model (contract: flow)."""
