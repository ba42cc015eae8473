"""The screens: pages over ``streams.serving``, live routes, words in four languages."""
