"""Write what DBOS keeps as JSON: readable by people, and nobody who can write a row can run code."""

import json
from typing import Any

from dbos import Serializer as DBOSSerializer

from bot.ledger import foreign_rows


class Json(DBOSSerializer):
    """Plain JSON; an exception keeps its type's name only, so that no text of it gets into the database."""

    def serialize(self, data: Any) -> str:
        return json.dumps(data, default=lambda value: {"unserializable": type(value).__name__})

    def deserialize(self, serialized_data: str) -> Any:
        return json.loads(serialized_data, object_hook=_revived)

    def name(self) -> str:
        return foreign_rows.FORMAT


def _revived(fields: dict[str, Any]) -> Any:
    return RuntimeError(fields["unserializable"]) if fields.keys() == {"unserializable"} else fields
