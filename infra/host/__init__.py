"""Services of Macs that are reached by SSH: what is wanted, how it is sent, and the program that runs there."""
