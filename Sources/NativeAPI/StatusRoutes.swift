import Endpoints
import FoundationEssentials
import HTTPTypes
import JSON
import Keys
import Service
import Tenancy

/// The operation that shows operators the state of the installation.
struct StatusRoutes: Sendable {
    let context: NativeContext

    var endpoints: [NativeEndpoint] { [status] }

    private var status: NativeEndpoint {
        NativeEndpoint(
            .get,
            "/v1/status",
            id: "getStatus",
            tag: NativeSurface.Tag.status,
            summary: "Get the state of the installation",
            description: """
                The node that answers, its connections, and the PostgreSQL servers with their standbys. A server that does not answer \
                within two seconds is not reachable.
                """,
            access: .operator(Permission.platform.rawValue),
            responses: [EndpointResult(.ok, "The state.", StatusJSON.schema)],
            problems: [.serviceUnavailable, .rateLimited]
        ) { request in
            let service = context.platform.status
            return .json(StatusJSON(node: service.node, status: try await service.status(for: try request.caller)))
        }
    }
}

/// The JSON of the state of an installation.
struct StatusJSON: JSONWritable {
    let node: Node
    let status: PlatformStatus

    private static let number = Schema.integer(0...Int64.max)

    private static let node =
        Schema.object([
            .required("id", NativeSchema.id.described("The node's id. Each start chooses a new one.")),
            .required("version", .string(max: 255)),
            .required("started_at", NativeSchema.time),
        ])
        .named("Node")

    private static let pool =
        Schema.object([
            .required("purpose", .string(max: 64)),
            .required("open", number.described("The open connections, idle ones included.")),
            .required("idle", number),
            .required("waiting", number.described("The requests that wait for a connection.")),
        ])
        .named("ConnectionPool")

    private static let standby =
        Schema.object([
            .required("name", .string(max: 255)),
            .required("state", .string(max: 64)),
            .required("synchronization", .string(max: 64).described("`async`, `potential`, `sync` or `quorum`.")),
            .required("lag_bytes", number.described("The bytes of the log that the standby has not replayed.")),
            .required(
                "lag_milliseconds",
                number.described("The time that it needs to replay a change. 0 on an idle server.")
            ),
        ])
        .named("Standby")

    private static let lookups =
        Schema.object([
            .required("open", number.described("The workspaces with a look-up connection of this node.")),
            .required("limit", number.orNull.described("The maximum. Null before the first look-up.")),
            .required("waiting", number.described("The requests that wait for a look-up connection.")),
        ])
        .named("LookupConnections")

    private static let cluster =
        Schema.object([
            .required("id", NativeSchema.id),
            .required("name", .string(max: 64)),
            .required(
                "address",
                .string(max: 4096).orNull
                    .described("The hosts and ports. Null if the environment of the program names them.")
            ),
            .required("workspaces", number.described("The workspaces on the cluster, whatever their state.")),
            .required("is_reachable", .boolean),
            .required("fault", .string(max: 255).orNull.described("The reason, if the server is not reachable.")),
            .required("version", .string(max: 64).orNull.described("PostgreSQL's version.")),
            .required("is_standby", .boolean.orNull),
            .required("connections", number.orNull.described("The connections of all clients of the server.")),
            .required("maximum_connections", number.orNull),
            .required("lookups", lookups),
            .required("changes", pool),
            .required("leases", .array(of: lease, max: 1000).described("The nodes that answer from memory.")),
            .required("fences", number.orNull.described("The changes that are under way. Null if it did not answer.")),
            .required("oldest_fence_milliseconds", number.orNull),
            .required("standbys", .array(of: standby, max: 1000)),
        ])
        .named("ClusterStatus")

    private static let lease =
        Schema.object([
            .required("id", NativeSchema.id.described("The id of the lease. Each start of a node chooses a new one.")),
            .required("host", .string(max: 255).orNull.described("The name of the node's machine.")),
            .required("process_id", number.orNull.described("The number of the node's process.")),
            .required("version", .string(max: 255).orNull.described("The version of the node's program.")),
            .required(
                "peppers",
                .array(of: .string(max: 64), max: 1000).orNull
                    .described(
                        "The ids of the peppers that the node knows. New tokens use the first one that all nodes know."
                    )
            ),
            .required("age_milliseconds", number.described("The time since the node renewed it.")),
            .required("is_own", .boolean.described("True for the node that answers.")),
            .required(
                "is_silent",
                .boolean.described(
                    "True if the node did not renew it in time. The node answers nothing from memory, and the next change waits for it."
                )
            ),
        ])
        .named("Lease")

    private static let memory =
        Schema.object([
            .required("keys", number),
            .required("bytes", number.described("The estimated size.")),
        ])
        .named("KeyMemory")

    static let schema =
        Schema.object([
            .required("nodes", .array(of: node, max: 1000).described("The node that answers.")),
            .required("control_pools", .array(of: pool, max: 16).described("Its connections to the control database.")),
            .required("memory", memory.described("The keys that it has in memory.")),
            .required("clusters", .array(of: cluster, max: 1000)),
        ])
        .named("Status")

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("nodes", [NodeJSON(node: node)])
            $0.member("control_pools", status.controlPools.map { PoolJSON(purpose: $0.purpose, figures: $0.figures) })
            $0.member("memory", MemoryJSON(keys: status.memory.keys, bytes: status.memory.bytes))
            $0.member("clusters", status.clusters.map { ClusterJSON(status: $0.status, connections: $0.connections) })
        }
    }

    private struct NodeJSON: JSONWritable {
        let node: Node

        func write(to writer: inout JSONWriter) {
            writer.object {
                $0.member("id", UUIDv7.text(of: node.id))
                $0.member("version", node.version)
                $0.member("started_at", node.startedAt.rfc3339)
            }
        }
    }

    private struct PoolJSON: JSONWritable {
        let purpose: String
        let figures: PoolFigures?

        func write(to writer: inout JSONWriter) {
            writer.object {
                $0.member("purpose", purpose)
                $0.member("open", figures?.open ?? 0)
                $0.member("idle", figures?.idle ?? 0)
                $0.member("waiting", figures?.waiting ?? 0)
            }
        }
    }

    private struct MemoryJSON: JSONWritable {
        let keys: Int
        let bytes: Int

        func write(to writer: inout JSONWriter) {
            writer.object {
                $0.member("keys", keys)
                $0.member("bytes", bytes)
            }
        }
    }

    private struct LeaseJSON: JSONWritable {
        let lease: FencingStatus.Lease

        func write(to writer: inout JSONWriter) {
            writer.object {
                $0.member("id", UUIDv7.text(of: lease.id))
                $0.member("host", lease.node?.host)
                $0.member("process_id", lease.node?.process)
                $0.member("version", lease.node?.version)
                if let node = lease.node { $0.member("peppers", node.peppers) } else { $0.member("peppers", nil) }
                $0.member("age_milliseconds", lease.ageMilliseconds)
                $0.member("is_own", lease.isOwn)
                $0.member("is_silent", lease.isSilent)
            }
        }
    }

    private struct LookupsJSON: JSONWritable {
        let connections: ClusterConnections?

        func write(to writer: inout JSONWriter) {
            writer.object {
                $0.member("open", connections?.lookups ?? 0)
                $0.member("limit", connections?.lookupLimit)
                $0.member("waiting", connections?.waitingLookups ?? 0)
            }
        }
    }

    private struct StandbyJSON: JSONWritable {
        let standby: ServerStatus.Standby

        func write(to writer: inout JSONWriter) {
            writer.object {
                $0.member("name", standby.name)
                $0.member("state", standby.state)
                $0.member("synchronization", standby.synchronization)
                $0.member("lag_bytes", standby.lagBytes)
                $0.member("lag_milliseconds", standby.lagMilliseconds)
            }
        }
    }

    private struct ClusterJSON: JSONWritable {
        let status: ClusterStatus
        let connections: ClusterConnections?

        func write(to writer: inout JSONWriter) {
            let server = status.server
            writer.object {
                $0.member("id", UUIDv7.text(of: status.cluster.id))
                $0.member("name", status.cluster.name)
                $0.member("address", status.address)
                $0.member("workspaces", status.workspaces)
                $0.member("is_reachable", server != nil)
                $0.member("fault", status.fault)
                $0.member("version", server?.version)
                $0.member("is_standby", server?.isStandby)
                $0.member("connections", server?.connections)
                $0.member("maximum_connections", server?.maximumConnections)
                $0.member("lookups", LookupsJSON(connections: connections))
                $0.member("changes", PoolJSON(purpose: "changes", figures: connections?.managed))
                $0.member("leases", (status.fencing?.leases ?? []).map(LeaseJSON.init(lease:)))
                $0.member("fences", status.fencing?.fences)
                $0.member("oldest_fence_milliseconds", status.fencing?.oldestFenceMilliseconds)
                $0.member("standbys", (server?.standbys ?? []).map(StandbyJSON.init(standby:)))
            }
        }
    }
}
