"""LangChain and LangGraph: what their callbacks say."""
