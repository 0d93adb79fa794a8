import ArgumentParser
import FoundationEssentials
import JSON
import Keys

/// The settings of a key that may be given when it is made and changed later.
struct KeyFields: ParsableArguments {
    @Option(help: "What the key is for, for people.")
    var description: String?

    @Option(help: "What the key may do: *, verb:resource or verb:*. Repeat for more.")
    var scope: [String] = []

    @Option(
        help: ArgumentHelp(
            "For admin and operator keys, a permission such as keys:read. Repeat for more.",
            valueName: "name"
        )
    )
    var permission: [String] = []

    @Option(
        help: ArgumentHelp(
            "A namespace in which the key works; without any it works in all. Repeat for more.",
            valueName: "name"
        )
    )
    var namespace: [String] = []

    @Flag(help: "The key works in the default namespace only.")
    var defaultNamespaceOnly = false

    @Option(
        name: .customLong("allow-ip"),
        help: ArgumentHelp(
            "An address or CIDR range from which the key works; without any it works from all. Repeat for more.",
            valueName: "address"
        )
    )
    var allowIP: [String] = []

    @Option(help: ArgumentHelp("How often a minute the key may be used; unlimited when absent.", valueName: "count"))
    var rateLimitPerMinute: Int?

    @Option(help: ArgumentHelp("How often an hour the key may be used; unlimited when absent.", valueName: "count"))
    var rateLimitPerHour: Int?

    @Option(help: ArgumentHelp("When the key expires (RFC 3339, such as 2030-01-31T00:00:00Z).", valueName: "time"))
    var expiresAt: String?

    @Option(help: ArgumentHelp("After how long the key expires, such as 90d, 12h, 30m or 45s.", valueName: "length"))
    var expiresIn: LengthOfTime?

    @Option(
        help: ArgumentHelp("Any JSON object of at most 16 KiB. No secrets: arguments can be seen.", valueName: "json")
    )
    var metadata: String?

    @Option(help: ArgumentHelp("A file with that JSON object; - is standard input.", valueName: "path"))
    var metadataFile: String?

    func validate() throws {
        guard expiresAt == nil || expiresIn == nil else {
            throw ValidationError("--expires-at and --expires-in exclude each other.")
        }
        guard metadata == nil || metadataFile == nil else {
            throw ValidationError("--metadata and --metadata-file exclude each other.")
        }
        guard namespace.isEmpty || !defaultNamespaceOnly else {
            throw ValidationError("--namespace and --default-namespace-only exclude each other.")
        }
    }

    /// Whether standard input is spoken for.
    var takesStandardInput: Bool { metadataFile == "-" }

    /// The members of a body for what was given.
    func body() async throws -> JSONObject {
        var body = JSONObject()
        body["description"] = description.map(JSONValue.string)
        body["scopes"] = array(scope)
        body["permissions"] = array(permission)
        body["allowed_namespaces"] = defaultNamespaceOnly ? .array([]) : array(namespace)
        body["allowed_ips"] = array(allowIP)
        body["rate_limit_per_minute"] = rateLimitPerMinute.map { .integer(Int64($0)) }
        body["rate_limit_per_hour"] = rateLimitPerHour.map { .integer(Int64($0)) }
        body["expires_at"] = expiry.map(JSONValue.string)
        body["metadata"] = try await metadataValue()
        return body
    }

    private func array(_ texts: [String]) -> JSONValue? {
        texts.isEmpty ? nil : .array(texts.map(JSONValue.string))
    }

    private var expiry: String? {
        guard let expiresIn else { return expiresAt }
        let now = Int64(Date().timeIntervalSince1970)
        return (Timestamp(microsecondsSinceUnixEpoch: now * 1_000_000) + .seconds(expiresIn.seconds)).description
    }

    private func metadataValue() async throws -> JSONValue? {
        let limit = 64 * 1024
        let bytes: [UInt8]
        if let metadata {
            bytes = Array(metadata.utf8)
        } else if let metadataFile {
            do {
                bytes = try await FileAccess.read(metadataFile, limit: limit)
            } catch let fault as FileAccess.Fault {
                throw CommandFailure.usage("The metadata cannot be read from \(metadataFile): \(fault.reason).")
            }
        } else {
            return nil
        }
        do throws(JSONError) {
            return try JSONValue(parsing: bytes, limits: JSONLimits(maximumBytes: limit))
        } catch {
            throw CommandFailure.usage("The metadata is \(error).")
        }
    }
}
