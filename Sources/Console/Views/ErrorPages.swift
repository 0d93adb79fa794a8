import Endpoints
import HTTPTypes
import Hummingbird
import NIOCore

/// The pages for errors that no route has rendered with the navigation.
enum ErrorPages {
    /// Returns the sentence of a problem for a person.
    static func detail(_ problem: Problem) -> String {
        problem.kind == .notFound ? "This page does not exist, or your account cannot see it." : problem.detail
    }

    /// Returns the renderer of a surface's errors.
    static func renderer(_ pages: PageRenderer) -> ErrorRenderer {
        ErrorRenderer { problem, _ in
            let values: [String: Any] = ["title": problem.kind.title, "detail": detail(problem)]
            let page = pages.page("failure", values, status: problem.kind.status).withPageHeaders()
            var headers = page.headers
            headers.append(HTTPField(name: .contentType, value: page.mediaType))
            headers.append(contentsOf: problem.headers.filteredForPages)
            return Response(
                status: page.status,
                headers: headers,
                body: ResponseBody(byteBuffer: page.body ?? ByteBuffer())
            )
        }
    }
}
