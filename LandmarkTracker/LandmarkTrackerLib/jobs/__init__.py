"""What a user asks for, as generators: each finished frame, subject or pair is yielded.

A caller shows progress by counting, cancels by stopping, and stays responsive by taking one step at a time.
"""
