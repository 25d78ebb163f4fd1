"""The experiment of chapter 5: a small encoder, rounded in many ways, and what is left of it.

Usage: make lab. It fetches 91 MB of weights once and runs on one core in a few minutes, in less
than 500 MB. It writes what the chapter reads: rounding_lab.csv, rounding_searches.csv and
weight_slice.json in src/llmsizing/data/.
"""
