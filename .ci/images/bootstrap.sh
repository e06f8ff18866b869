#!/bin/sh
# Starts AWS's runtime client with the handler, as the bootstrap of AWS's base image does.
exec /var/lang/bin/python3 -m awslambdaric "$_HANDLER"
