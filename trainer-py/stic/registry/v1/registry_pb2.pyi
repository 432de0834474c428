import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from stic.recipe.v1 import recipe_pb2 as _recipe_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MoveKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MOVE_KIND_UNSPECIFIED: _ClassVar[MoveKind]
    MOVE_KIND_PROMOTED: _ClassVar[MoveKind]
    MOVE_KIND_SET: _ClassVar[MoveKind]
    MOVE_KIND_ROLLED_BACK: _ClassVar[MoveKind]

class GateState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GATE_STATE_UNSPECIFIED: _ClassVar[GateState]
    GATE_STATE_WAITING: _ClassVar[GateState]
    GATE_STATE_PENDING: _ClassVar[GateState]
    GATE_STATE_PROMOTED: _ClassVar[GateState]
    GATE_STATE_KEPT: _ClassVar[GateState]
    GATE_STATE_REJECTED: _ClassVar[GateState]
    GATE_STATE_ABANDONED: _ClassVar[GateState]
MOVE_KIND_UNSPECIFIED: MoveKind
MOVE_KIND_PROMOTED: MoveKind
MOVE_KIND_SET: MoveKind
MOVE_KIND_ROLLED_BACK: MoveKind
GATE_STATE_UNSPECIFIED: GateState
GATE_STATE_WAITING: GateState
GATE_STATE_PENDING: GateState
GATE_STATE_PROMOTED: GateState
GATE_STATE_KEPT: GateState
GATE_STATE_REJECTED: GateState
GATE_STATE_ABANDONED: GateState

class Alias(_message.Message):
    __slots__ = ("id", "base_model_digest", "base_model_path", "name", "checkpoint_id", "version", "updated_at", "provenance")
    ID_FIELD_NUMBER: _ClassVar[int]
    BASE_MODEL_DIGEST_FIELD_NUMBER: _ClassVar[int]
    BASE_MODEL_PATH_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    id: str
    base_model_digest: str
    base_model_path: str
    name: str
    checkpoint_id: str
    version: int
    updated_at: _timestamp_pb2.Timestamp
    provenance: Provenance
    def __init__(self, id: _Optional[str] = ..., base_model_digest: _Optional[str] = ..., base_model_path: _Optional[str] = ..., name: _Optional[str] = ..., checkpoint_id: _Optional[str] = ..., version: _Optional[int] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., provenance: _Optional[_Union[Provenance, _Mapping]] = ...) -> None: ...

class Provenance(_message.Message):
    __slots__ = ("checkpoint_id", "checkpoint_name", "adapter_sha256", "run_id", "run_name", "preset", "recipe_digest", "seed", "base_model_path", "base_model_digest", "commit", "data", "started_from")
    CHECKPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_NAME_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_SHA256_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_NAME_FIELD_NUMBER: _ClassVar[int]
    PRESET_FIELD_NUMBER: _ClassVar[int]
    RECIPE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    BASE_MODEL_PATH_FIELD_NUMBER: _ClassVar[int]
    BASE_MODEL_DIGEST_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    STARTED_FROM_FIELD_NUMBER: _ClassVar[int]
    checkpoint_id: str
    checkpoint_name: str
    adapter_sha256: str
    run_id: str
    run_name: str
    preset: str
    recipe_digest: str
    seed: int
    base_model_path: str
    base_model_digest: str
    commit: str
    data: _containers.RepeatedCompositeFieldContainer[ProvenanceData]
    started_from: str
    def __init__(self, checkpoint_id: _Optional[str] = ..., checkpoint_name: _Optional[str] = ..., adapter_sha256: _Optional[str] = ..., run_id: _Optional[str] = ..., run_name: _Optional[str] = ..., preset: _Optional[str] = ..., recipe_digest: _Optional[str] = ..., seed: _Optional[int] = ..., base_model_path: _Optional[str] = ..., base_model_digest: _Optional[str] = ..., commit: _Optional[str] = ..., data: _Optional[_Iterable[_Union[ProvenanceData, _Mapping]]] = ..., started_from: _Optional[str] = ...) -> None: ...

class ProvenanceData(_message.Message):
    __slots__ = ("role", "dataset_name", "version_id", "digest", "items")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    DATASET_NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    role: str
    dataset_name: str
    version_id: str
    digest: str
    items: int
    def __init__(self, role: _Optional[str] = ..., dataset_name: _Optional[str] = ..., version_id: _Optional[str] = ..., digest: _Optional[str] = ..., items: _Optional[int] = ...) -> None: ...

class Move(_message.Message):
    __slots__ = ("number", "kind", "from_checkpoint_id", "to_checkpoint_id", "actor", "reason", "at", "run_id", "undoes", "provenance")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    FROM_CHECKPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    TO_CHECKPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    UNDOES_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    number: int
    kind: MoveKind
    from_checkpoint_id: str
    to_checkpoint_id: str
    actor: str
    reason: str
    at: _timestamp_pb2.Timestamp
    run_id: str
    undoes: int
    provenance: Provenance
    def __init__(self, number: _Optional[int] = ..., kind: _Optional[_Union[MoveKind, str]] = ..., from_checkpoint_id: _Optional[str] = ..., to_checkpoint_id: _Optional[str] = ..., actor: _Optional[str] = ..., reason: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., run_id: _Optional[str] = ..., undoes: _Optional[int] = ..., provenance: _Optional[_Union[Provenance, _Mapping]] = ...) -> None: ...

class GetAliasRequest(_message.Message):
    __slots__ = ("alias_id",)
    ALIAS_ID_FIELD_NUMBER: _ClassVar[int]
    alias_id: str
    def __init__(self, alias_id: _Optional[str] = ...) -> None: ...

class ListAliasesRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "base_model_digest", "name")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    BASE_MODEL_DIGEST_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    base_model_digest: str
    name: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., base_model_digest: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class ListAliasesResponse(_message.Message):
    __slots__ = ("aliases", "next_page_token")
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    aliases: _containers.RepeatedCompositeFieldContainer[Alias]
    next_page_token: str
    def __init__(self, aliases: _Optional[_Iterable[_Union[Alias, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListMovesRequest(_message.Message):
    __slots__ = ("alias_id", "page_size", "page_token")
    ALIAS_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    alias_id: str
    page_size: int
    page_token: str
    def __init__(self, alias_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListMovesResponse(_message.Message):
    __slots__ = ("moves", "next_page_token")
    MOVES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    moves: _containers.RepeatedCompositeFieldContainer[Move]
    next_page_token: str
    def __init__(self, moves: _Optional[_Iterable[_Union[Move, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class SetAliasRequest(_message.Message):
    __slots__ = ("checkpoint_id", "name", "reason", "version")
    CHECKPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    checkpoint_id: str
    name: str
    reason: str
    version: int
    def __init__(self, checkpoint_id: _Optional[str] = ..., name: _Optional[str] = ..., reason: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class RollbackAliasRequest(_message.Message):
    __slots__ = ("alias_id", "reason", "version")
    ALIAS_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    alias_id: str
    reason: str
    version: int
    def __init__(self, alias_id: _Optional[str] = ..., reason: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class MoveAliasResponse(_message.Message):
    __slots__ = ("alias", "move")
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    MOVE_FIELD_NUMBER: _ClassVar[int]
    alias: Alias
    move: Move
    def __init__(self, alias: _Optional[_Union[Alias, _Mapping]] = ..., move: _Optional[_Union[Move, _Mapping]] = ...) -> None: ...

class Gate(_message.Message):
    __slots__ = ("run_id", "run_name", "state", "config", "candidate_id", "champion_id", "champion_run_name", "benchmarks", "mean_gain", "reasons", "decided_by", "comment", "created_at", "decided_at", "base_model_digest")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_ID_FIELD_NUMBER: _ClassVar[int]
    CHAMPION_ID_FIELD_NUMBER: _ClassVar[int]
    CHAMPION_RUN_NAME_FIELD_NUMBER: _ClassVar[int]
    BENCHMARKS_FIELD_NUMBER: _ClassVar[int]
    MEAN_GAIN_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    DECIDED_BY_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    DECIDED_AT_FIELD_NUMBER: _ClassVar[int]
    BASE_MODEL_DIGEST_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    run_name: str
    state: GateState
    config: _recipe_pb2.GateConfig
    candidate_id: str
    champion_id: str
    champion_run_name: str
    benchmarks: _containers.RepeatedCompositeFieldContainer[BenchmarkVerdict]
    mean_gain: float
    reasons: _containers.RepeatedScalarFieldContainer[str]
    decided_by: str
    comment: str
    created_at: _timestamp_pb2.Timestamp
    decided_at: _timestamp_pb2.Timestamp
    base_model_digest: str
    def __init__(self, run_id: _Optional[str] = ..., run_name: _Optional[str] = ..., state: _Optional[_Union[GateState, str]] = ..., config: _Optional[_Union[_recipe_pb2.GateConfig, _Mapping]] = ..., candidate_id: _Optional[str] = ..., champion_id: _Optional[str] = ..., champion_run_name: _Optional[str] = ..., benchmarks: _Optional[_Iterable[_Union[BenchmarkVerdict, _Mapping]]] = ..., mean_gain: _Optional[float] = ..., reasons: _Optional[_Iterable[str]] = ..., decided_by: _Optional[str] = ..., comment: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., decided_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., base_model_digest: _Optional[str] = ...) -> None: ...

class BenchmarkVerdict(_message.Message):
    __slots__ = ("benchmark", "metric", "higher_is_better", "n", "champion", "candidate", "gain", "low", "high", "too_bad")
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    HIGHER_IS_BETTER_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    CHAMPION_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    GAIN_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    TOO_BAD_FIELD_NUMBER: _ClassVar[int]
    benchmark: str
    metric: str
    higher_is_better: bool
    n: int
    champion: float
    candidate: float
    gain: float
    low: float
    high: float
    too_bad: bool
    def __init__(self, benchmark: _Optional[str] = ..., metric: _Optional[str] = ..., higher_is_better: _Optional[bool] = ..., n: _Optional[int] = ..., champion: _Optional[float] = ..., candidate: _Optional[float] = ..., gain: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ..., too_bad: _Optional[bool] = ...) -> None: ...

class GetGateRequest(_message.Message):
    __slots__ = ("run_id",)
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    def __init__(self, run_id: _Optional[str] = ...) -> None: ...

class ListGatesRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "state")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    state: GateState
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., state: _Optional[_Union[GateState, str]] = ...) -> None: ...

class ListGatesResponse(_message.Message):
    __slots__ = ("gates", "next_page_token")
    GATES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    gates: _containers.RepeatedCompositeFieldContainer[Gate]
    next_page_token: str
    def __init__(self, gates: _Optional[_Iterable[_Union[Gate, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ApproveGateRequest(_message.Message):
    __slots__ = ("run_id", "comment")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    comment: str
    def __init__(self, run_id: _Optional[str] = ..., comment: _Optional[str] = ...) -> None: ...

class RejectGateRequest(_message.Message):
    __slots__ = ("run_id", "comment")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    comment: str
    def __init__(self, run_id: _Optional[str] = ..., comment: _Optional[str] = ...) -> None: ...
