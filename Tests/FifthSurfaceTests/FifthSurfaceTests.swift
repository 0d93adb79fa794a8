import Endpoints
import JSON
import Server
import ServerTestSupport
import Service
import Surfaces
import TestSupport
import Testing

/// A further dialect is a target and one element of `ServerConfiguration.surfaces`.
@Suite(.hangLimit) struct FifthSurfaceTests {
    private static func addSketch(_ configuration: inout ServerConfiguration) {
        configuration.surfaces.append(SketchSurface.self)
    }

    @Test func `a further surface works next to the others with the same use cases`() async throws {
        try await withMortise(configure: Self.addSketch) { mortise in
            let key = try await mortise.makeKey("shared")
            let headers = [("X-API-Key", mortise.adminToken)]
            let list = try await mortise.api.send("GET", "/sketch/v1/keys/default", as: nil, headers: headers)
            #expect(list.status == 200)
            #expect(list.json == ["shared"])
            let body: JSONValue = ["token": .string(key.token)]
            let check = try await mortise.api.send("POST", "/sketch/v1/check", body, as: nil, headers: headers)
            #expect(check.json == ["verdict": "valid"])
            let native = try await mortise.api.get(key.path, as: mortise.adminToken)
            #expect(native.status == 200)
        }
    }

    @Test func `errors under the surface's prefix have the surface's format, and other errors keep theirs`()
        async throws
    {
        try await withMortise(configure: Self.addSketch) { mortise in
            let refused = try await mortise.api.send("GET", "/sketch/v1/keys/default", as: nil)
            #expect(refused.status == 401)
            #expect(refused["fault", "word"] == "unauthorized")
            let headers = [("X-API-Key", mortise.adminToken)]
            let hidden = try await mortise.api.send("GET", "/sketch/v1/keys/nowhere", as: nil, headers: headers)
            #expect(hidden.status == 404)
            #expect(hidden["fault", "word"] == "not_found")
            let unknown = try await mortise.api.send("GET", "/sketch/v1/nothing", as: nil)
            #expect(unknown["fault", "word"] == "not_found")
            let native = try await mortise.api.get("/v1/nothing", as: nil)
            #expect(native.headers["content-type"] == "application/problem+json")
            #expect(native.code == "not_found")
        }
    }

    @Test func `the declarations of the surface have no faults`() async throws {
        try await withMortise(configure: Self.addSketch) { mortise in
            #expect(mortise.server.surface(SketchSurface.self).table.declarationFaults.isEmpty)
        }
    }
}
