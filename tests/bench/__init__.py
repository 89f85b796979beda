"""`make bench`: what a preview of the program costs beside a flat program that registers the same objects.

Not collected by pytest: a measurement takes minutes and means nothing on a busy machine.
"""
