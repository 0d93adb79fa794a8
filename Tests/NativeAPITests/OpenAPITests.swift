import Endpoints
import Foundation
import JSON
import NativeAPI
import Server
import ServerTestSupport
import Subprocess
import TestSupport
import Testing

/// The OpenAPI document describes the surface, and the surface conforms to the document.
@Suite(.hangLimit(.seconds(600))) struct OpenAPITests {
    @Test func `the served document lists every operation`() async throws {
        try await withMortise { mortise in
            #expect(mortise.server.native.table.declarationFaults == [])
            let answer = try await mortise.api.get("/openapi.json", as: nil)
            #expect(answer["openapi"] == "3.1.0")
            var operations: [String] = []
            for path in answer["paths"]?.object?.members ?? [] {
                for operation in path.value.object?.members ?? [] {
                    operations.append(operation.value["operationId"]?.string ?? "")
                }
            }
            #expect(operations.sorted() == mortise.api.endpoints.map(\.operationID).sorted())
        }
    }

    /// The Python interpreter that has openapi_spec_validator: the one next to Schemathesis, or the system's.
    private static let python: String? = {
        let beside = schemathesis.map { "\($0[..<($0.lastIndex(of: "/") ?? $0.startIndex)])/python" }
        return [beside, "python3"].compactMap(\.self)
            .first { python in
                let check = Process()
                check.executableURL = URL(filePath: "/usr/bin/env")
                check.arguments = [python, "-c", "import openapi_spec_validator"]
                check.standardError = FileHandle.nullDevice
                guard (try? check.run()) != nil else { return false }
                check.waitUntilExit()
                return check.terminationStatus == 0
            }
    }()

    @Test(.enabled("the Python package openapi-spec-validator is not installed", { python != nil }))
    func `the served document is valid OpenAPI`() async throws {
        let python = try #require(Self.python)
        try await withMortise { mortise in
            let answer = try await mortise.api.get("/openapi.json", as: nil)
            let name = "mortise-openapi-\(UInt64.random(in: 0...UInt64.max)).json"
            let file = FileManager.default.temporaryDirectory.appending(path: name).path()
            try Data(answer.text.utf8).write(to: URL(filePath: file))
            defer { try? FileManager.default.removeItem(atPath: file) }
            let check = try await run(
                .name("env"),
                arguments: [python, "-m", "openapi_spec_validator", file],
                output: .string(limit: 1 << 20),
                error: .string(limit: 1 << 20)
            )
            #expect(check.terminationStatus.isSuccess, "\(check.standardOutput) \(check.standardError)")
        }
    }

    /// The path of Schemathesis, which `scripts/swift-test.sh` sets.
    private static let schemathesis = ProcessInfo.processInfo.environment["MORTISE_SCHEMATHESIS"]

    // Two checks are excluded. positive_data_acceptance reports every refusal of a request that the schema allows, but
    // JSON Schema cannot express "in the future" or "no bits after the prefix length of the range". ignored_auth
    // repeats requests without a credential, and the access matrix tests this for every operation and every kind of
    // credential.
    @Test(.enabled(if: schemathesis != nil))
    func `the server answers generated requests as the document describes`() async throws {
        let program = try #require(Self.schemathesis)
        let settings = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "schemathesis.toml").path()
        try await withMortise { mortise in
            for token in [mortise.adminToken, mortise.operatorToken] {
                let check = try await run(
                    .name("sh"),
                    arguments: [
                        "-c", "exec \"$0\" \"$@\"", program, "--config-file", settings, "run",
                        "\(mortise.api.url)/openapi.json", "--max-examples",
                        "20", "--header", "Authorization: Bearer \(token)",
                        "--phases", "examples,coverage,fuzzing", "--exclude-checks",
                        "positive_data_acceptance,ignored_auth", "--no-color",
                        // A busy machine answers slowly and generates few examples in the time that Hypothesis expects.
                        "--request-timeout", "3600", "--suppress-health-check", "too_slow",
                        // Each run sends the same cases, so that a failure is that of a change and can be repeated.
                        "--generation-deterministic",
                    ],
                    output: .string(limit: 16 << 20),
                    error: .string(limit: 1 << 20)
                )
                #expect(check.terminationStatus.isSuccess, "\(check.standardOutput) \(check.standardError)")
            }
        }
    }
}
