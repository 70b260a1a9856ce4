FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /out/hikeshi . && mkdir /out/data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/hikeshi /usr/bin/hikeshi
# A new volume takes its owner from the image, so that 65532 may write to it.
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
EXPOSE 8080
VOLUME /data
ENTRYPOINT ["/usr/bin/hikeshi"]
CMD ["serve", "--data", "/data", "--listen", "0.0.0.0:8080"]
