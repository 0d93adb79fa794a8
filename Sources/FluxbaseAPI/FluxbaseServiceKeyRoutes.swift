import Endpoints
import FoundationEssentials
import HTTPTypes
import JSON
import KeyStore
import Keys
import Service
import Surfaces

/// The operations on the service keys of a tenant.
struct FluxbaseServiceKeyRoutes: FluxbaseKeyRoutes {
    let context: FluxbaseContext

    var family: FluxbaseKeyFamily { .serviceKeys }

    var endpoints: [FluxbaseEndpoint] {
        [
            list, create, get, update(.put, "Replace"), update(.patch, "Update"), delete, disable, enable, revoke,
            deprecate, rotate, revocations,
        ]
    }

    // MARK: Reading

    private var list: FluxbaseEndpoint {
        endpoint(
            .get,
            id: "List",
            "List the service keys, newest first",
            .keysRead,
            EndpointResult(.ok, "The keys.", FluxbaseServiceKeyJSON.list)
        ) { home, _ in
            try await keys.withListing(KeyFilter(), limit: FluxbaseContext.maximumList, in: home) { listing in
                try await .longList(of: home, on: context.platform, room: listing.room) { writer in
                    writer.array(listing.keys.map { JSONValue.object(FluxbaseServiceKeyJSON.object($0)) })
                }
            }
        }
    }

    private var get: FluxbaseEndpoint {
        endpoint(
            .get,
            "/{id}",
            id: "Get",
            "Get a service key",
            .keysRead,
            EndpointResult(.ok, "The key.", FluxbaseServiceKeyJSON.schema)
        ) { home, request in
            let key = try await keys.get(try id(request), in: home)
            return .json(JSONValue.object(FluxbaseServiceKeyJSON.object(key)))
        }
    }

    // MARK: Creating and changing

    private var create: FluxbaseEndpoint {
        endpoint(
            .post,
            id: "Create",
            "Create a service key",
            .keysWrite,
            body: .required(FluxbaseSchema.serviceKeyCreate),
            EndpointResult(.created, "The key and its token.", FluxbaseServiceKeyJSON.issued),
            makes: true
        ) { home, request in
            let issued = try await keys.create(
                try FluxbaseInput.serviceKey(request.body),
                in: home,
                by: try context.caller(request, path: FluxbaseContext.path("service-keys", home))
            ) { key in JSONValue.object(FluxbaseServiceKeyJSON.object(key)).text }
            return try issued.response { key, token in
                var answer = key
                answer["key"] = token
                return answer
            }
        }
    }

    private func update(_ method: EndpointMethod, _ name: String) -> FluxbaseEndpoint {
        endpoint(
            method,
            "/{id}",
            id: name,
            "Change a service key. An absent member stays as it is",
            .keysWrite,
            body: .optional(FluxbaseSchema.serviceKeyUpdate),
            EndpointResult(.ok, "The changed key.", FluxbaseServiceKeyJSON.changed)
        ) { home, request in
            let id = try id(request)
            guard FluxbaseInput.namesSetting(request.body) else {
                throw Problem(
                    .invalidRequest,
                    code: FluxbaseProblems.Code.invalidInput,
                    detail: "No fields to update"
                )
            }
            let patch = try FluxbaseInput.patch(request.body)
            let key = try await keys.update(id, patch, in: home, by: try context.caller(request))
            return FluxbaseOutcome.response("Service key updated successfully", FluxbaseServiceKeyJSON.object(key))
        }
        .stopping { FluxbaseInput.disables($0.body) }
    }

    private var delete: FluxbaseEndpoint {
        endpoint(
            .delete,
            "/{id}",
            id: "Delete",
            "Delete a service key",
            .keysWrite,
            EndpointResult(.noContent, "Deleted.")
        ) { home, request in
            try await keys.delete(try id(request), in: home, by: try context.caller(request))
            return .noContent
        }
        .stopping()
    }
}
