public import Keys

extension Verifier {
    /// The number of tokens of a batch after which other requests of the thread have their turn.
    private static let slice = 8

    /// Verifies several tokens, in the order in which they are given.
    ///
    /// The keys that are not in memory are read at the same time. A long batch gives the other requests of its thread a turn after every
    /// few tokens, so that they wait for a part of it and not for all.
    ///
    /// - Parameters:
    ///   - questions: The texts that were presented as tokens, each with the demands on its key.
    ///   - audience: The owner whose keys can be found.
    /// - Returns: The verdicts, in the same order, or an error where a workspace's database cannot be reached.
    /// - Throws: The control database's errors if a workspace that is new to this node cannot be looked up, and `cancelled` if the task is
    ///   cancelled.
    public func verify(
        _ questions: [(text: String, request: VerificationRequest)],
        audience: Audience
    ) async throws -> [Result<Verdict, WorkspaceUnreachable>] {
        try await withThrowingTaskGroup(of: (Int, Result<Verdict, WorkspaceUnreachable>).self) { group in
            var results: [Result<Verdict, WorkspaceUnreachable>?] = Array(repeating: nil, count: questions.count)
            for (index, question) in questions.enumerated() {
                await Self.letOthersRun(before: index)
                switch verifyInMemory(question.text, question.request, audience: audience) {
                case .verdict(let verdict): results[index] = .success(verdict)
                case .pending(let pending):
                    group.addTask { [self] in
                        let finished = try await result(of: pending)
                        return (index, finished)
                    }
                }
            }
            for try await (index, result) in group { results[index] = result }
            return results.compactMap(\.self)
        }
    }

    /// Gives the other requests of the thread a turn, if a slice of a batch ends here.
    ///
    /// - Parameter index: The position of the next token, or of the next verdict.
    package static func letOthersRun(before index: Int) async {
        guard index > 0, index.isMultiple(of: slice) else { return }
        await Task.yield()
    }

    private func result(of pending: PendingVerification) async throws -> Result<Verdict, WorkspaceUnreachable> {
        do {
            return .success(try await finish(pending))
        } catch let error as WorkspaceUnreachable {
            return .failure(error)
        }
    }
}
