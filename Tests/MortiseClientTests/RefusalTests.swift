import HTTPTestSupport
import MortiseClient
import TestSupport
import Testing

/// Each surface has its own format of errors.
///
/// The client has one.
@Suite(.hangLimit) struct RefusalTests {
    @Test func `a problem of the native API becomes an error with every fault and its place`() async throws {
        let problem = """
            {"type":"t","title":"T","status":400,"detail":"The request is not valid.","code":"invalid_request",\
            "request_id":"req-7","errors":[{"pointer":"/scopes/0","detail":"is not a scope"},{"parameter":"limit","detail":"x"}]}
            """
        let error = try await refusal(400, problem, type: "application/problem+json") {
            _ = try await $0.keys(.operator).get("k")
        }
        #expect(error.reason == .invalidRequest)
        #expect(error.message == "The request is not valid.")
        #expect(error.code == "invalid_request" && error.requestID == "req-7" && error.status == 400)
        #expect(error.faults.map(\.place) == ["/scopes/0", "limit"])
        #expect(!error.mayHaveTakenEffect)
        #expect("\(error)".contains("req-7") && "\(error)".contains("/scopes/0: is not a scope"))
    }

    @Test func `an error of Fluxbase's dialect has a sentence and a code`() async throws {
        let body = #"{"error":"Service key not found","code":"NOT_FOUND","request_id":"r"}"#
        let error = try await refusal(404, body) { _ = try await $0.admin.serviceKeys.get("k") }
        #expect(error.reason == .notFound && error.message == "Service key not found" && error.code == "NOT_FOUND")
        let faults = """
            {"error":"Name is required","code":"MISSING_REQUIRED_FIELD","details":[{"pointer":"/name","detail":"is required"},\
            {"pointer":"/rate_limit_per_minute","detail":"must lie between 1 and 9"}]}
            """
        let bad = try await refusal(400, faults) { _ = try await $0.admin.serviceKeys.create(name: "") }
        #expect(bad.faults.map(\.place) == ["/name", "/rate_limit_per_minute"])
        #expect(bad.faults.map(\.detail) == ["is required", "must lie between 1 and 9"])
    }

    @Test func `an error of Clerk's dialect has the long message`() async throws {
        let body = """
            {"errors":[{"message":"m","long_message":"The name is taken.","code":"token_creation_conflict",\
            "meta":{"param_name":"name"}}]}
            """
        let error = try await refusal(409, body) { _ = try await $0.apiKeys.create(name: "key") }
        #expect(error.reason == .conflict && error.message == "The name is taken.")
        #expect(error.code == "token_creation_conflict" && error.faults.first?.place == "name")
    }

    @Test func `an error of Boltz's dialect has the details by path`() async throws {
        let body = #"{"code":"VALIDATION_ERROR","message":"Request validation failed","details":{"name":"is empty"}}"#
        let error = try await refusal(400, body) { _ = try await $0.admin.apiKeys.create(name: "") }
        #expect(error.reason == .invalidRequest && error.code == "VALIDATION_ERROR")
        #expect(error.faults.first?.place == "name" && error.faults.first?.detail == "is empty")
    }

    @Test(arguments: [
        (401, MortiseError.Reason.unauthenticated), (403, .forbidden), (404, .notFound), (409, .conflict),
        (413, .invalidRequest), (422, .invalidRequest), (429, .rateLimited), (418, .refused), (500, .refused),
        (503, .unavailable),
    ])
    func `each status has its reason`(_ status: Int, _ reason: MortiseError.Reason) async throws {
        let error = try await refusal(status, "{}") { _ = try await $0.keys(.operator).disable("k") }
        #expect(error.reason == reason)
        #expect(error.mayHaveTakenEffect == (status >= 500))
    }

    private func refusal(
        _ status: Int,
        _ body: String,
        type: String = "application/json",
        _ call: (Mortise) async throws -> Void
    ) async throws -> MortiseError {
        var options = ClientOptions()
        options.maximumRetries = 0
        var caught: MortiseError?
        try await Mortise.with({ _ in .answer(status, body, type: type) }, options: options) {
            client,
            _,
            _ async throws in
            caught = try await #require(throws: MortiseError.self) { try await call(client) }
        }
        return try #require(caught)
    }
}
