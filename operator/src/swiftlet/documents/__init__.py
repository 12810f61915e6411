"""Documents: files, folders and kustomizations read as Kubernetes reads them, and checked against each other."""

from swiftlet.documents.document import Document
from swiftlet.documents.read import read_documents

__all__ = ["Document", "read_documents"]
