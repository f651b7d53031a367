"""The input: the contract with the library, options and their defaults, the token, the destination."""
