import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// A yardstick for `POST /v1/verify`: reads the body of each request, and answers with the bytes of a file.
///
/// It is Hummingbird as its documentation shows it, without Mortise.
@main
struct AnswerBench {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let port = Int(arguments[1]) else {
            print("usage: answer-bench PORT FILE")
            exit(64)
        }
        let answer = ByteBuffer(bytes: try Data(contentsOf: URL(filePath: arguments[2])))
        let router = Router()
        router.post("/v1/verify") { request, _ in
            _ = try await request.body.collect(upTo: 65_536)
            return Response(
                status: .ok,
                headers: [.contentType: "application/json", .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: answer)
            )
        }
        router.get("/readyz") { _, _ in HTTPResponse.Status.ok }
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port))
        )
        try await application.runService()
    }
}
