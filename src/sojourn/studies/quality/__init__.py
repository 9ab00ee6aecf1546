"""Quality: can these data be trusted, and with which questions?"""
