import Endpoints
import HTTPTypes
import JSON
import Server
import TestSupport
import Testing

@Suite(.hangLimit) struct EndpointTableTests {
    private func endpoint(_ method: EndpointMethod, _ path: String, _ id: String, _ names: [String] = []) -> Endpoint<
        Never
    > {
        Endpoint(
            method,
            path,
            id: id,
            tag: "T",
            summary: id,
            access: .open,
            parameters: names.map { PathParameter($0, $0) },
            responses: [EndpointResult(.ok, "Yes.")]
        ) { _ in .noContent }
    }

    @Test func `the sample has no declaration faults`() {
        #expect(SampleTable.make().declarationFaults == [])
    }

    @Test func `contradictory declarations are found`() {
        let table = EndpointTable(
            [
                endpoint(.get, "/a/{x}", "one", ["x"]), endpoint(.get, "/a/{y}", "two", ["y"]),
                endpoint(.get, "/b", "one"), endpoint(.get, "/c/{x}", "three"),
                endpoint(.only(.head), "/b", "four"),
            ],
            security: .open
        )
        #expect(
            table.declarationFaults == [
                "two: another operation has GET /a/{y}", "two: another operation has HEAD /a/{y}",
                "one: two operations have this id",
                "three: the parameters of the path and the declared parameters differ",
                "four: another operation has HEAD /b",
            ]
        )
    }

    @Test func `every problem kind has a status, a title and a code of its own`() {
        for kind in Problem.Kind.allCases {
            #expect((400..<600).contains(kind.status.code))
            #expect(!kind.title.isEmpty && !Problem(kind).detail.isEmpty)
        }
        #expect(Set(Problem.Kind.allCases.map(\.title)).count == Problem.Kind.allCases.count)
    }

    @Test func `names of header fields are tokens`() {
        #expect(HTTPField.Name.xRequestID.rawName == "X-Request-Id")
        #expect(HTTPField.Name.idempotencyKey.rawName == "Idempotency-Key")
        #expect(HTTPField.Name.rateLimit.rawName == "RateLimit")
        #expect(HTTPField.Name.rateLimitPolicy.rawName == "RateLimit-Policy")
    }
}
