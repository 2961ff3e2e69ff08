"""One federation over several hosts: certificates, the server's host, and the hosts of participants."""
