// versitygw over a folder and no other store: what its own program has besides takes a third of its build.
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

func main() {
	port := flag.String("port", "", "address to listen on, such as 127.0.0.1:7070")
	certificate := flag.String("cert", "", "file of a certificate, with which it speaks TLS")
	key := flag.String("key", "", "file of the certificate's key")
	sidecar := flag.String("sidecar", "", "folder for what files have no place for")
	content := flag.String("content", "", "folder whose folders are buckets")
	flag.Parse()

	stored, err := meta.NewSideCar(*sidecar)
	if err != nil {
		log.Fatal(err)
	}
	// The numbers are the defaults of versitygw's own program.
	folder, err := posix.New(*content, stored, posix.PosixOpts{
		SideCarDir: *sidecar, CopyObjectThreshold: 5 << 30,
	})
	if err != nil {
		log.Fatal(err)
	}
	ended, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	err = embedgw.RunVersityGW(ended, folder, &embedgw.Config{
		RootUserAccess:    os.Getenv("ROOT_ACCESS_KEY"),
		RootUserSecret:    os.Getenv("ROOT_SECRET_KEY"),
		Ports:             []string{*port},
		CertFile:          *certificate,
		KeyFile:           *key,
		MaxConnections:    250_000,
		MaxRequests:       100_000,
		MultipartMaxParts: 10_000,
		Quiet:             true,
	})
	if err != nil {
		log.Fatal(err)
	}
}
