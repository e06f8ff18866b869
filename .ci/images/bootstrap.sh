#!/bin/sh
# Starts AWS's runtime client with the handler, like the bootstrap of AWS's base image.
exec /var/lang/bin/python3 -m awslambdaric "$_HANDLER"
