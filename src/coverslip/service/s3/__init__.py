"""The S3 dialect: each organization's input area as a bucket, for clients that know S3 and nothing else.

It speaks for every object store, and knows what such clients need for slides: single PUT, GET with ranges, HEAD,
ListObjectsV2, DELETE and DeleteObjects, with signatures of version 4 in the query or in the header.

Every PUT makes an object of its own; the key that clients give it is a column of its row. So replacing an object is one
transaction, a run that was submitted with the earlier content keeps it, and a key may hold any character.
"""
