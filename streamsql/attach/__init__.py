"""Inputs, outputs and reference tables of an engine: URIs and foreign streams become sources and sinks at named streams."""
