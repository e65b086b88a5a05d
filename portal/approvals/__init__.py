"""Approvals: policies, routes, decisions and their proof; subjects are known by kind and id."""
