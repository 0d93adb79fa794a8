import FoundationEssentials
import JSON
import Keys
import Tenancy

extension InstallationDatabase {
    var json: JSONValue {
        [
            "name": .string(name), "cluster": .string(cluster),
            "workspace": workspace.map { JSONValue.string(UUIDv7.text(of: $0)) } ?? .null,
        ]
    }

    init?(json: JSONValue) {
        guard let name = json["name"]?.string, let cluster = json["cluster"]?.string else { return nil }
        self.init(name: name, cluster: cluster, workspace: json["workspace"]?.string.flatMap(UUIDv7.parse))
    }
}

extension InstallationInventory {
    private var clusterMembers: [(String, JSONValue)] {
        clusters.sorted { $0.key < $1.key }.map { ($0.key, JSONValue.string($0.value)) }
    }

    private var migrationMembers: [(String, JSONValue)] {
        migrations.sorted { $0.key < $1.key }
            .map { line, names in (line, JSONValue.array(names.map { JSONValue.string($0) })) }
    }

    var json: JSONValue {
        [
            "installation": .string(UUIDv7.text(of: installation)),
            "moment": .string(moment.rfc3339),
            "server_version": .integer(Int64(serverVersion)),
            "clusters": .object(JSONObject(clusterMembers)),
            "databases": .array(databases.map(\.json)),
            "migrations": .object(JSONObject(migrationMembers)),
        ]
    }

    init?(json: JSONValue) {
        guard let installation = json["installation"]?.string.flatMap(UUIDv7.parse),
            let moment = json["moment"]?.string.flatMap({ Timestamp(rfc3339: $0) }),
            let server = json["server_version"]?.number?.int64,
            let clusters = json["clusters"]?.object?.members, let databases = json["databases"]?.array,
            let migrations = json["migrations"]?.object?.members
        else { return nil }
        let known = databases.compactMap { InstallationDatabase(json: $0) }
        guard known.count == databases.count else { return nil }
        var files: [String: [String]] = [:]
        for member in migrations { files[member.name] = member.value.array?.compactMap(\.string) ?? [] }
        var strings: [String: String] = [:]
        for member in clusters { strings[member.name] = member.value.string ?? "" }
        self.init(
            installation: installation,
            moment: moment,
            serverVersion: Int(server),
            clusters: strings,
            databases: known,
            migrations: files
        )
    }
}
