"""`streamsql discover --json`: the form of DiscoverInputSchema, which an InputSchema is read from again."""

from __future__ import annotations

import json
from pathlib import Path

from streamsql.configuration.discovery import input_schema
from streamsql.configuration.read import read_schema
from streamsql.io.open import open_source
from streamsql.types import Schema

ENERGY = """\
year,month,state,producer_type,energy_source,units,consumption
2001,1,AK,TotalElectricPowerIndustry,Coal,ShortTons,47615
2001,1,AK,ElectricGeneratorsElectricUtilities,Coal,ShortTons,16535
2001,1,AL,TotalElectricPowerIndustry,Coal,ShortTons,3020601
""".replace("\n", "\r\n")


def test_csv(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_bytes(ENERGY.encode())
    document = json.loads(input_schema(f"{tmp_path}/data.csv"))
    schema = document["InputSchema"]
    assert [column["Name"] for column in schema["RecordColumns"]] == [
        "COL_year", "COL_month", "state", "producer_type", "energy_source", "units", "consumption",
    ]  # fmt: skip
    assert [schema["RecordColumns"][i]["SqlType"] for i in (0, 1, 6)] == ["INTEGER"] * 3
    assert "Mapping" not in schema["RecordColumns"][0]
    mapping = {"RecordRowDelimiter": "\r\n", "RecordColumnDelimiter": ","}
    assert schema["RecordFormat"] == {"RecordFormatType": "CSV", "MappingParameters": {"CSVMappingParameters": mapping}}
    assert document["ParsedInputRecords"][0] == ["2001", "1", "AK", "TotalElectricPowerIndustry", "Coal", "ShortTons", "47615"]
    assert document["RawInputRecords"] == ENERGY.splitlines()


def test_the_schema_of_json_reads_the_records_again(tmp_path: Path) -> None:
    records = [{"USER": "a", "USER@DOMAIN": "b", "year": 1, "1st": 2, "a b": "c", "x": {"y": 1}}]
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    text = input_schema(f"{tmp_path}/data.jsonl")
    schema = read_schema(text)
    assert [f.name for f in schema.fields] == ["COL_USER", "COL_USERDOMAIN", "COL_year", "COL_1st", "COL_ab", "x"]
    source = open_source(f"{tmp_path}/data.jsonl", Schema(schema.fields), format=schema.format, layout=schema.layout)
    rows = source.poll(9).rows
    assert rows is not None and list(rows.to_pylist()[0].values()) == ["a", "b", 1, 2, "c", '{"y": 1}']
    assert json.loads(text)["RawInputRecords"] == [json.dumps(records[0])]
