"""The knowledge base: articles that answer questions, for customers and for agents."""
