"""Addresses of the documents."""

from django.urls import path

from support.pages import documents

app_name = "documents"
urlpatterns = [
    path("terms/accept/", documents.accept_terms, name="accept"),
    path("<slug:slug>/", documents.document, name="document"),
]
