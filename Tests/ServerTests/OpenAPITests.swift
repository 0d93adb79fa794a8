import FoundationEssentials
import JSON
import Server
import Subprocess
import Testing

/// The document describes the surface, and the surface is as the document says.
@Suite(.timeLimit(.minutes(10))) struct OpenAPITests {
    @Test func `the served document lists every operation and is valid`() async throws {
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
            let name = "mortise-openapi-\(UInt64.random(in: 0...UInt64.max)).json"
            let file = FileManager.default.temporaryDirectory.appending(path: name).path()
            try Data(answer.text.utf8).write(to: URL(filePath: file))
            defer { try? FileManager.default.removeItem(atPath: file) }
            let check = try await run(
                .name("python3"),
                arguments: ["-m", "openapi_spec_validator", file],
                output: .string(limit: 1 << 20),
                error: .string(limit: 1 << 20)
            )
            if check.standardError.contains("No module named") { return }
            #expect(check.terminationStatus.isSuccess, "\(check.standardOutput) \(check.standardError)")
        }
    }

    /// Where Schemathesis is; `scripts/test-openapi.sh` says so.
    private static let schemathesis = ProcessInfo.processInfo.environment["MORTISE_SCHEMATHESIS"]

    @Test(.enabled(if: schemathesis != nil))
    func `generated requests get what the document promises`() async throws {
        let program = try #require(Self.schemathesis)
        try await withMortise { mortise in
            for token in [mortise.adminToken, mortise.operatorToken] {
                let check = try await run(
                    .name("sh"),
                    arguments: [
                        "-c", "exec \"$0\" \"$@\"", program, "run", "\(mortise.api.url)/openapi.json", "--max-examples",
                        "20", "--header", "Authorization: Bearer \(token)",
                        "--phases", "examples,coverage,fuzzing", "--exclude-checks",
                        "positive_data_acceptance,ignored_auth", "--no-color",
                    ],
                    output: .string(limit: 16 << 20),
                    error: .string(limit: 1 << 20)
                )
                #expect(check.terminationStatus.isSuccess, "\(check.standardOutput) \(check.standardError)")
            }
        }
    }
}
