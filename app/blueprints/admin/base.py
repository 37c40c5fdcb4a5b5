"""The blueprint of the pages for administrators."""

from flask import Blueprint

blueprint = Blueprint("admin", __name__)
