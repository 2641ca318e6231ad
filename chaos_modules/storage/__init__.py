"""Where results are kept beside the record: Elasticsearch, OpenSearch, and a file for what they did not take."""
