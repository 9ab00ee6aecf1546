"""Frozen results: the only things that studies, pictures and prose share. One file per study."""
