"""Puts the files of a configuration folder into the configuration bucket: put_configuration.py BUCKET FOLDER

The catalog function reads them from there. Credentials, region and endpoint come from the usual AWS variables.
"""

import pathlib
import sys

import boto3

NAMES = ("organisation.yaml", "orgs.yaml", "recipients.yaml", "data-map.yaml", "agents.yaml")


def main():
    bucket, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    missing = [name for name in NAMES if not (folder / name).is_file()]
    if missing:
        sys.exit(f"{folder} lacks {', '.join(missing)}: copy them from infra/config and fill them in")
    client = boto3.client("s3")
    for name in NAMES:
        client.put_object(Bucket=bucket, Key=name, Body=(folder / name).read_bytes(), ContentType="application/yaml")
        print(f"put s3://{bucket}/{name}")


if __name__ == "__main__":
    main()
