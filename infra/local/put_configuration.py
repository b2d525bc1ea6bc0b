"""Puts the files of a configuration folder into the configuration bucket: put_configuration.py BUCKET FOLDER

The catalog function reads them from there. Credentials, region and endpoint come from the usual AWS variables.
"""

import pathlib
import sys

import boto3

NAMES = ("organisation.yaml", "orgs.yaml", "recipients.yaml", "data-map.yaml", "agents.yaml")
OPTIONAL_NAMES = ("law.yaml",)


def main():
    bucket, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    missing = [name for name in NAMES if not (folder / name).is_file()]
    if missing:
        sys.exit(f"{folder} lacks {', '.join(missing)}: copy them from infra/config and fill them in")
    client = boto3.client("s3")
    # What may be there comes first, and what is gone goes first: the files that must be there call for a look at all
    # of them, and a first configuration is in force once they are complete.
    there = [name for name in OPTIONAL_NAMES if (folder / name).is_file()]
    for name in OPTIONAL_NAMES:
        if name not in there and client.list_objects_v2(Bucket=bucket, Prefix=name).get("Contents"):
            client.delete_object(Bucket=bucket, Key=name)
            print(f"took s3://{bucket}/{name} away: the folder has none")
    for name in (*there, *NAMES):
        client.put_object(Bucket=bucket, Key=name, Body=(folder / name).read_bytes(), ContentType="application/yaml")
        print(f"put s3://{bucket}/{name}")


if __name__ == "__main__":
    main()
