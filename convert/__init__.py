"""Keras bundle to TFLite bundle: conversion, and parity with the model it came from."""
