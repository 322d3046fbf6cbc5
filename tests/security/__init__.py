"""Attacks on the shop as it runs, a file for each chapter of docs/security.md."""
