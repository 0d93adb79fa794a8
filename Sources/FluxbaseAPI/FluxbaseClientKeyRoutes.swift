import Endpoints
import FoundationEssentials
import HTTPTypes
import JSON
import KeyStore
import Keys
import Service
import Surfaces

/// The operations on client keys, which older SDKs call API keys.
///
/// A member reads its own keys, an admin of the tenant reads all.
struct FluxbaseClientKeyRoutes: FluxbaseKeyRoutes {
    let context: FluxbaseContext
    /// The client keys under one of their two names.
    let family: FluxbaseKeyFamily

    var endpoints: [FluxbaseEndpoint] { [create, list, get, update, revoke, delete] }

    private var noun: String { family.noun }
    private var title: String { family.title }

    // MARK: Operations

    private var create: FluxbaseEndpoint {
        endpoint(
            .post,
            id: "Create",
            "Create a \(noun) for the caller",
            .keysWrite,
            body: .required(FluxbaseSchema.clientKeyCreate),
            EndpointResult(.created, "The key and its token.", FluxbaseClientKeyJSON.issued),
            makes: true
        ) { home, request in
            let principal = try request.caller
            // A key belongs to a user. A key that another key creates belongs to that key.
            let subject = home.subject ?? principal.member.map { UUIDv7.text(of: $0.userID) } ?? principal.actor
            let issued = try await keys.create(
                try FluxbaseInput.clientKey(request.body, subject: subject),
                in: home,
                by: try context.caller(request, path: FluxbaseContext.path("client-keys", home))
            ) { key in JSONValue.object(FluxbaseClientKeyJSON.object(key)).text }
            return try issued.response { key, token in
                var answer = key
                answer["client_key"] = .object(key)
                answer["api_key"] = .object(key)
                answer["key"] = token
                return answer
            }
        }
    }

    private var list: FluxbaseEndpoint {
        endpoint(
            .get,
            id: "List",
            "List \(noun)s, newest first",
            .keysRead,
            query: QuerySchema(
                [QueryParameter("user_id", .string(max: 255), "Only keys of this user.")],
                unknown: .ignored
            ),
            EndpointResult(.ok, "The keys.", FluxbaseClientKeyJSON.list)
        ) { home, request in
            let user: String? = try request.query.optional("user_id")
            return try await keys.withListing(
                KeyFilter(subject: user == "" ? nil : user.map(FluxbaseInput.idOrSlug)),
                limit: FluxbaseContext.maximumList,
                in: home
            ) { listing in
                try await .longList(of: home, on: context.platform, room: 2 * listing.room) { writer in
                    // The list is written once, and its bytes are copied.
                    var list = JSONWriter(capacity: listing.room)
                    list.array(listing.keys.map { JSONValue.object(FluxbaseClientKeyJSON.object($0)) })
                    writer.object {
                        $0.key("client_keys")
                        $0.value(rawJSON: list.bytes)
                        $0.key("api_keys")
                        $0.value(rawJSON: list.bytes)
                        $0.member("total", listing.total)
                    }
                }
            }
        }
    }

    private var get: FluxbaseEndpoint {
        endpoint(
            .get,
            "/{id}",
            id: "Get",
            "Get a \(noun)",
            .keysRead,
            EndpointResult(.ok, "The key.", FluxbaseClientKeyJSON.schema)
        ) { home, request in
            let key = try await keys.get(try id(request), in: home)
            return .json(JSONValue.object(FluxbaseClientKeyJSON.object(key)))
        }
    }

    private var update: FluxbaseEndpoint {
        endpoint(
            .patch,
            "/{id}",
            id: "Update",
            "Change a \(noun)",
            .keysWrite,
            body: .optional(FluxbaseSchema.clientKeyUpdate),
            EndpointResult(.ok, "The changed key.", FluxbaseClientKeyJSON.changed)
        ) { home, request in
            let patch = try FluxbaseInput.patch(request.body)
            let key = try await keys.update(try id(request), patch, in: home, by: try context.caller(request))
            return FluxbaseOutcome.response("\(title) updated successfully", FluxbaseClientKeyJSON.object(key))
        }
        .stopping { FluxbaseInput.disables($0.body) }
    }

    private var revoke: FluxbaseEndpoint {
        endpoint(
            .post,
            "/{id}/revoke",
            id: "Revoke",
            "Revoke a \(noun)",
            .keysWrite,
            body: .optional(FluxbaseSchema.revoke).orForm,
            EndpointResult(.ok, "The changed key.", FluxbaseClientKeyJSON.changed)
        ) { home, request in
            let reason: String? = try request.body.optional("reason")
            let key = try await keys.revoke(try id(request), reason: reason, in: home, by: try context.caller(request))
            return FluxbaseOutcome.response("\(title) revoked successfully", FluxbaseClientKeyJSON.object(key))
        }
        .stopping()
    }

    private var delete: FluxbaseEndpoint {
        endpoint(
            .delete,
            "/{id}",
            id: "Delete",
            "Delete a \(noun)",
            .keysWrite,
            EndpointResult(.ok, "Deleted.", FluxbaseOutcome.schema)
        ) { home, request in
            try await keys.delete(try id(request), in: home, by: try context.caller(request))
            return FluxbaseOutcome.response("\(title) deleted successfully")
        }
        .stopping()
    }
}

extension FluxbaseContext {
    /// The path parameter of an id.
    ///
    /// It accepts any text, because a malformed id has an answer of its own.
    static let idParameter = PathParameter("id", "The id.", .string(max: 4096))
}

extension IssuedKey {
    /// Returns the answer that `compose` makes of the stored object and the token.
    func response(_ compose: (_ answer: JSONObject, _ token: JSONValue) -> JSONObject) throws -> EndpointResponse {
        let stored = try JSONValue(parsing: answer.utf8).object ?? JSONObject()
        return .json(
            JSONValue.object(compose(stored, .string(token.reveal()))),
            status: .created,
            headers: isReplay ? .replayed : [:]
        )
    }
}
