"""The embedded cluster: pods and nodes as network namespaces on this machine, with traffic that counts at both ends.

Nothing is imported here on purpose: the traffic process starts from this package and needs only the standard library.
"""
