"""Beside other libraries; nothing is imported unless you ask: ``gradling.interop.torch``."""
