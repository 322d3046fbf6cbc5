"""The pages on which customers make, rotate and revoke their keys."""
