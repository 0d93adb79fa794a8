import Endpoints
import HTTPTypes
import Keys
import NIOCore
import Service
import Surfaces

/// The parts that all routes of the console use.
struct ConsoleContext: Sendable {
    let platform: Platform
    let clients: ClientAddresses
    let origin: ConsoleOrigin
    let pages: PageRenderer
    /// The program's version.
    let version: String

    /// Signs the texts that a browser keeps.
    var signer: TextSigner { platform.sessions.signer }

    // MARK: Declarations

    /// The rules for the body of every form.
    private static let form = RequestBodySchema.optional(.anyObject(maximumBytes: 131_072), maximumBytes: 131_072)
        .orForm

    /// Declares an operation for everybody.
    func open(
        _ method: EndpointMethod,
        _ path: String,
        id: String,
        logsAccess: Bool = true,
        waits: WaitLimit = .usual,
        handler: @escaping @Sendable (ConsoleRequest) async throws -> EndpointResponse
    ) -> ConsoleEndpoint {
        ConsoleEndpoint(
            method,
            path,
            id: id,
            tag: "Console",
            summary: "Show or change something in the console.",
            access: .open,
            parameters: PathTemplate(path).parameterNames.map { PathParameter($0, "A name in the path.") },
            query: .ignored,
            body: method == .post ? Self.form : nil,
            responses: [EndpointResult(.ok, "A page.", mediaType: "text/html")],
            // Creating or deleting the database of a workspace can take long.
            deadline: method == .post ? .seconds(120) : .seconds(30),
            waits: waits,
            logsAccess: logsAccess,
            isDocumented: false
        ) { request in
            let request = ConsoleRequest(request, clients)
            do {
                if method == .get, let query = request.query.withoutTokens {
                    // The router finds `//console/` too, which would be another host.
                    throw Redirect(location: "/" + request.path.drop { $0 == "/" } + query)
                }
                return try await handler(request).withPageHeaders()
            } catch let redirect as Redirect {
                return redirect.response.withPageHeaders()
            }
        }
    }

    /// Declares a page for members.
    func page(
        _ path: String,
        id: String,
        waits: WaitLimit = .usual,
        handler: @escaping @Sendable (Visit) async throws -> EndpointResponse
    ) -> ConsoleEndpoint {
        open(.get, path, id: id, waits: waits) { request in
            guard let visit = try await visit(request) else {
                if let arrival = arrival(request) { return arrival }
                throw Redirect.signIn(from: request.target)
            }
            return try await visit.answering { try await handler(visit) }
        }
    }

    /// Declares a change by members.
    ///
    /// The answer comes only after the request has proved that it is from a page of the console.
    func action(
        _ path: String,
        id: String,
        waits: WaitLimit = .usual,
        handler: @escaping @Sendable (Visit) async throws -> EndpointResponse
    ) -> ConsoleEndpoint {
        open(.post, path, id: id, waits: waits) { request in
            try requireOwnPage(request)
            guard let visit = try await visit(request) else {
                // The session ended between the page and the click. Nothing was changed.
                if platform.passwordUse == .on, let kept = KeptForm(sentWithoutSession: request) {
                    let hasProvider = platform.providerSignIn != nil
                    let values = kept.values(at: SignInForm.next(FormEntries.path(request)), hasProvider: hasProvider)
                    return SignInForm(self).memberPage(request, values, status: .unauthorized)
                }
                throw Redirect.signIn(from: request.path, hasEnded: true)
            }
            guard visit.hasOwnForm else { return try await visit.answering { try await visit.earlierForm() } }
            return try await visit.answering { try await handler(visit) }
        }
    }

    // MARK: Sessions

    /// Returns the visit of a member, or `nil` without a session that is alive.
    func visit(_ request: ConsoleRequest) async throws -> Visit? {
        guard let cookie = request.cookie(Cookie.session) else { return nil }
        return try await visit(request, cookie: cookie)
    }

    /// Returns the visit of the member whose session has a cookie, or `nil` if the session is not alive.
    func visit(_ request: ConsoleRequest, cookie: String) async throws -> Visit? {
        do {
            return Visit(request, try await platform.sessions.authenticate(cookie: cookie), self)
        } catch Refusal.unauthenticated {
            return nil
        }
    }

    /// Returns a page that leads the browser to another page without a click.
    ///
    /// - Parameters:
    ///   - target: The address of the other page.
    ///   - sentence: The reason, for a browser that does not go on by itself.
    ///   - link: The text of the link.
    /// - Returns: The answer.
    func forwardingPage(to target: String, _ sentence: String, link: String = "Go on to the page") -> EndpointResponse {
        pages.page("arrival", ["title": "One moment", "target": target, "sentence": sentence, "link": link])
    }

    /// Returns the page that a browser gets that follows a link from another site.
    ///
    /// A browser does not send a cookie that is `SameSite=Strict` with such a request. The page loads itself again, and that request
    /// has the cookie, and `Sec-Fetch-Site: same-origin`: the page comes once.
    func arrival(_ request: ConsoleRequest, without cookie: String = Cookie.session) -> EndpointResponse? {
        // The router also finds `//console/`, and a page that goes on to that address would lead to a host of that name.
        guard request.headers.single(.secFetchSite) == "cross-site",
            request.headers.single(.secFetchMode) == "navigate", request.cookie(cookie) == nil,
            request.path.hasPrefix("/console")
        else { return nil }
        let target = ConsoleRequest.withoutOutcome(request.target)
        return forwardingPage(to: target, "You followed a link to the console.")
    }

    /// Throws unless the header fields say that a page of the console sent the request.
    func requireOwnPage(_ request: ConsoleRequest) throws {
        guard origin.isOwn(request.head) else {
            throw Problem(.forbidden, detail: origin.refusal(of: request.head))
        }
    }
}

/// An answer that sends the browser to another page.
struct Redirect: Error {
    let location: String
    var cookies: [String] = []
    /// 303, so that the browser's next request is a GET (RFC 9110 section 15.4.4); or 307, so that it is the same one again.
    var status = HTTPResponse.Status.seeOther

    /// Sends the browser to the sign-in, and back afterwards.
    static func signIn(from target: String, hasEnded: Bool = false) -> Redirect {
        var query = hasEnded ? "ended=1" : ""
        if target != "/console/" && target != "/console" {
            query += (query.isEmpty ? "" : "&") + "next=\(FormText.encode(ConsoleRequest.withoutOutcome(target)))"
        }
        return Redirect(location: "/console/sign-in" + (query.isEmpty ? "" : "?\(query)"))
    }

    /// The answer.
    var response: EndpointResponse {
        EndpointResponse(status, headers: [.location: location]).setting(cookies)
    }
}

extension EndpointResponse {
    /// Returns the answer with further cookies.
    func setting(_ cookies: [String]) -> EndpointResponse {
        var answer = self
        for cookie in cookies { answer.headers.append(HTTPField(name: .setCookie, value: cookie)) }
        return answer
    }
}
