import Endpoints
import HTTPTypes
import Keys
import Service
import Surfaces

/// A request of a person whose session is alive: a member (``Visit``) or an operator (``OperatorVisit``).
protocol ConsoleVisit: Sendable {
    var request: ConsoleRequest { get }
    var context: ConsoleContext { get }
    var principal: Principal { get }
    /// The time of the request, by the database's clock.
    var moment: Timestamp { get }
    /// The person, and for a member also the organization, as the texts of forms name them.
    var person: String { get }
    /// The token that proves that a form is from a page of this session.
    var formToken: FormToken { get }
    /// The way to the sign-in and back.
    var signIn: Redirect { get }

    /// Returns a page with the navigation, in which no link is marked as the current page.
    func page(_ template: String, title: String, _ values: [String: Any], _ status: HTTPResponse.Status) async throws
        -> EndpointResponse

    /// Returns the names of workspaces by id, for the entries of a form.
    func workspaceNames() async throws -> [String: String]

    /// Returns the values of the page about a path whose organization or workspace is not there, or `nil` if it is something else.
    func explanationOfMissing() async throws -> [String: Any]?
}

extension ConsoleVisit {
    var platform: Platform { context.platform }
    var query: FormFields { request.query }
    var form: FormFields { request.form }

    /// The caller of a use case.
    var caller: Caller { request.caller(principal) }

    // MARK: Forms

    /// True if the form has the session's token.
    var hasOwnForm: Bool { formToken.isOwn(form) }

    /// A ticket for a form that creates an object once.
    var ticket: String { FormTicket.make(person, at: moment, context.signer) }

    /// The caller of a use case that creates an object once for each form.
    ///
    /// - Throws: A problem for a form that is too old.
    func callerOnce() throws -> Caller {
        guard let key = FormTicket.key(form["ticket"], person, at: moment, context.signer) else {
            throw Problem(.conflict, detail: "This form is too old. Nothing was changed. Open it again.")
        }
        return request.caller(principal, once: key)
    }

    /// Returns the answer to a form of another session.
    ///
    /// - Parameter status: The status of the page with the entries. Defaults to that of a refused form.
    /// - Returns: The answer.
    /// - Throws: The errors of reading the workspaces.
    func earlierForm(_ status: HTTPResponse.Status = .forbidden) async throws -> EndpointResponse {
        guard let earlier = FormEntries(request, isOfVisitor: formToken.isOfVisitor(form)) else {
            return try await page("error", title: FormEntries.title, FormEntries.refusal(request), .forbidden)
        }
        return try await page("form-again", title: FormEntries.title, try await values(of: earlier), status)
    }

    /// Returns the page with the entries of a form that was answered with 503, or `nil` for another answer and for a page that cannot be
    /// shown.
    private func unfinishedForm(_ problem: Problem) async -> EndpointResponse? {
        guard problem.kind.status == .serviceUnavailable,
            let entries = FormEntries(request, .unfinished, isOfVisitor: hasOwnForm),
            var values = try? await values(of: entries)
        else { return nil }
        values["unfinished"] = ErrorPages.detail(problem)
        return try? await page("form-again", title: problem.kind.title, values, problem.kind.status)
    }

    private func values(of entries: FormEntries) async throws -> [String: Any] {
        var values = entries.values(workspaces: try await workspaceNames())
        values["ticket"] = FormTicket.kept(form["ticket"], person, at: moment, context.signer)
        return values
    }

    // MARK: Answers

    /// Runs a handler on behalf of the person, and renders what it refuses as a page with the navigation.
    func answering(_ body: () async throws -> EndpointResponse) async throws -> EndpointResponse {
        try await principal.takingTurns { try await renderingRefusals(body) }
    }

    private func renderingRefusals(
        _ body: () async throws -> EndpointResponse
    ) async throws -> EndpointResponse {
        do {
            return try await body()
        } catch Refusal.unauthenticated {
            throw signIn
        } catch let redirect as Redirect {
            throw redirect
        } catch let missing as MissingObject {
            return try await page("error", title: MissingObject.title, missing.values, MissingObject.status)
        } catch {
            guard let problem = error as? Problem ?? DomainProblems.problem(for: error) else { throw error }
            var response: EndpointResponse
            if let again = await unfinishedForm(problem) {
                response = again
            } else {
                let missing = problem.kind == .notFound ? try await explanationOfMissing() : nil
                let values = missing ?? ["detail": ErrorPages.detail(problem)]
                response = try await page("error", title: problem.kind.title, values, problem.kind.status)
            }
            response.headers.append(contentsOf: problem.headers.filteredForPages)
            return response
        }
    }
}
