"""The cast and its story, told by calling actions; demo and tests share it."""
