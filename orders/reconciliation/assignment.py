"""Which unanswered attempt can have which order upstream: what every explanation has in common is certain.

An order upstream that nobody here knows belongs to an attempt whose answer never came, and an attempt has at most one.
So each assignment that gives every such candidate an attempt of its own is an explanation, and the truth is one of
them. In a bipartite graph an edge is in some explanation exactly if it is in one of them (any will do), on a cycle that
alternates with it, or on a path that alternates with it and begins at an attempt without a candidate (Régin, "A
filtering algorithm for constraints of difference in CSPs", 1994).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import networkx as nx

Attempt = int  # keys: what they stand for does not matter here
Candidate = int
Node = tuple[str, int]


@dataclass(frozen=True)
class Explanations:
    """What all explanations together allow."""

    owners: dict[Candidate, frozenset[Attempt]]  # of each candidate: the attempts that have it in some explanation
    strangers: frozenset[Candidate]  # optional candidates that belong to no attempt in some explanation
    empty_handed: frozenset[Attempt]  # attempts that have none in every explanation


def explain(
    edges: Mapping[Candidate, Collection[Attempt]],
    attempts: Collection[Attempt],
    *,
    optional: Collection[Candidate] = (),
) -> Explanations | None:
    """Return what the explanations have in common, or None when there is none.

    `edges` has, for each candidate, the attempts that it can belong to, each of them one of `attempts`; a candidate
    without any cannot be explained. An `optional` candidate may belong to nobody as well, so what is certain is certain
    with it and without it.
    """
    graph = nx.Graph()
    strangers = {("stranger", candidate): candidate for candidate in optional}
    graph.add_nodes_from(("attempt", attempt) for attempt in attempts)
    graph.add_nodes_from(strangers)
    candidates = [("candidate", candidate) for candidate in edges]
    graph.add_nodes_from(candidates)
    for candidate, possible in edges.items():
        graph.add_edges_from((("candidate", candidate), ("attempt", attempt)) for attempt in possible)
    graph.add_edges_from((("candidate", candidate), stranger) for stranger, candidate in strangers.items())
    match = nx.bipartite.hopcroft_karp_matching(graph, top_nodes=candidates)
    if any(candidate not in match for candidate in candidates):
        return None
    allowed = _allowed(graph, candidates, match)
    owners = {
        candidate: frozenset(node[1] for node in allowed["candidate", candidate] if node not in strangers)
        for candidate in edges
    }
    taken = {attempt for those in owners.values() for attempt in those}
    return Explanations(
        owners=owners,
        strangers=frozenset(
            candidate for stranger, candidate in strangers.items() if stranger in allowed["candidate", candidate]
        ),
        empty_handed=frozenset(attempts) - taken,
    )


def _allowed(graph: nx.Graph, candidates: Collection[Node], match: Mapping[Node, Node]) -> dict[Node, set[Node]]:
    """Return, for each candidate's node, the nodes it is matched with in some matching of all candidates."""
    steps = nx.DiGraph()
    steps.add_nodes_from(graph)
    for candidate in candidates:
        for owner in graph[candidate]:
            # A swap gives the owner up to the candidate: follow it to whatever the candidate had before.
            steps.add_edge(*((candidate, owner) if match[candidate] == owner else (owner, candidate)))
    idle = [node for node in graph if node not in match]
    reached = set(idle).union(*(nx.descendants(steps, node) for node in idle))
    component = {node: number for number, nodes in enumerate(nx.strongly_connected_components(steps)) for node in nodes}
    return {
        candidate: {
            owner
            for owner in graph[candidate]
            if match[candidate] == owner or component[candidate] == component[owner] or owner in reached
        }
        for candidate in candidates
    }
